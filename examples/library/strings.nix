# Functions of strings.
self: {
  join = builtins.concatStringsSep;

  joinMap =
    separator: f: list:
    self.strings.join separator (map f list);

  # The words of a text, whatever blanks are between them.
  words =
    text: builtins.filter (word: builtins.isString word && word != "") (builtins.split "[ \t\n]+" text);

  repeat = count: text: self.strings.join "" (builtins.genList (_: text) count);

  padLeft =
    width: text:
    let
      missing = width - builtins.stringLength text;
    in
    if missing > 0 then self.strings.repeat missing " " + text else text;

  isVersion = text: builtins.match "[0-9]+([.][0-9]+)*" text != null;
}
