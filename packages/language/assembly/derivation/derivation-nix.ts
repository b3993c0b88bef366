// The source of `derivation`: Nix's laziness around `derivationStrict` (Nix manual, "Derivations").
//
// A line of it is part of every trace of a failing derivation: `strict = …` stands where it does in Nix.

/** ASCII. */
export const DERIVATION_SOURCE: string = `/**
  \`derivation attrs\`: the set \`attrs\` as something that can be built.

  The arguments are those of \`derivationStrict\`, which does the work
  and wants all attributes to be there at once. This function puts
  laziness around it: nothing of a derivation is computed before one of
  its paths is asked for.

  # The result

  The attributes of \`attrs\`, and

  - \`type\`: "derivation"
  - \`outputName\`: the output that this value stands for, at first the
    first of \`outputs\`
  - \`outPath\`: the path of that output, or what stands for it until
    it is known; a string that refers to the derivation
  - \`drvPath\`: the path of the derivation itself
  - one attribute for each output, which is the same value standing
    for that output
  - \`all\`: a list of those, in the order of \`outputs\`
  - \`drvAttrs\`: \`attrs\` as they were

  With \`outputs\` left out there is one output, named "out", for which
  the derivation stands.
*/
drvAttrs@{
  outputs ? [ "out" ],
  ...
}:

let


  # Only the parts of it are lazy.

  strict = derivationStrict drvAttrs;

  # What all outputs have in common.
  common = drvAttrs // builtins.listToAttrs perOutput // {
    inherit drvAttrs;
    all = map (output: output.value) perOutput;
  };

  standFor = outputName: {
    name = outputName;
    value = common // {
      inherit outputName;
      inherit (strict) drvPath;
      outPath = strict.\${outputName};
      type = "derivation";
    };
  };

  perOutput = map standFor outputs;

in
(builtins.head perOutput).value
`;
