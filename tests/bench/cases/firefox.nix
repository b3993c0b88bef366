(import <nixpkgs> { system = "x86_64-linux"; }).firefox.drvPath
