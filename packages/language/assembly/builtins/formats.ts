// JSON, XML and TOML: toJSON, fromJSON, toXML, fromTOML.

import { Frame, LAZY, PLAIN_STRING, arg, args1, describeArgument } from "../machine/native";
import { readJson } from "../formats/read-json";
import { readToml } from "../formats/read-toml";
import { toJson } from "../formats/write-json";
import { toXml } from "../formats/write-xml";
import { Value } from "../values/value";
import { define } from "./registry";

export function defineFormatsBuiltins(): void {
  define("toJSON", 1, args1(LAZY), 2, toJson);
  define("toXML", 1, args1(LAZY), 1, toXml);
  define("fromJSON", 1, args1(PLAIN_STRING), 0, fromJson);
  const fromToml = define("fromTOML", 1, args1(PLAIN_STRING), 0, fromTomlText);
  describeArgument(fromToml, 0, "while evaluating the argument passed to builtins.fromTOML");
}

function fromJson(f: Frame): Value {
  return readJson(arg(f, 0), f);
}

function fromTomlText(f: Frame): Value {
  return readToml(arg(f, 0));
}
