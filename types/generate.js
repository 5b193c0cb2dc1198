/**
 * Write `types/wire.d.ts` from `docs/reference/openapi.json`: the state document, every command and every answer as types
 * (`Wire.StateDocument`), for the type checker alone. Nothing of it is served.
 */

import { readFileSync, writeFileSync } from "node:fs";

const DOCUMENT = new URL("../docs/reference/openapi.json", import.meta.url);
const TARGET = new URL("wire.d.ts", import.meta.url);
const PLAIN = { string: "string", integer: "number", number: "number", boolean: "boolean", null: "null" };

/** One schema as an interface, or as a name for a type when it has no fields. */
function declared([name, schema]) {
  const comment = schema.description ? `/** ${schema.description.replace(/\s+/g, " ")} */\n` : "";
  if (!schema.properties) return `${comment}type ${name} = ${typeOf(schema)};\n`;
  return `${comment}interface ${name} ${fieldsOf(schema, "")}\n`;
}

function fieldsOf({ properties, required = [] }, indent) {
  const field = ([name, schema]) => {
    const mark = required.includes(name) ? "" : "?";
    return `${indent}  ${quoted(name)}${mark}: ${typeOf(schema, `${indent}  `)};`;
  };
  return `{\n${Object.entries(properties).map(field).join("\n")}\n${indent}}`;
}

function typeOf(schema, indent = "") {
  if (schema.$ref) return schema.$ref.split("/").at(-1);
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const choices = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (choices) return [...new Set(choices.map((choice) => typeOf(choice, indent)))].join(schema.allOf ? " & " : " | ");
  if (schema.type === "array") return arrayOf(schema, indent);
  if (schema.properties) return fieldsOf(schema, indent);
  if (schema.type === "object") return `Record<string, ${valueOfRecord(schema, indent)}>`;
  return PLAIN[schema.type] ?? "unknown";
}

function arrayOf({ prefixItems, items }, indent) {
  if (prefixItems) return `[${prefixItems.map((item) => typeOf(item, indent)).join(", ")}]`;
  return items ? `Array<${typeOf(items, indent)}>` : "unknown[]";
}

function valueOfRecord({ additionalProperties: value }, indent) {
  return value && typeof value === "object" ? typeOf(value, indent) : "unknown";
}

function quoted(name) {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

const { schemas } = JSON.parse(readFileSync(DOCUMENT, "utf8")).components;
writeFileSync(TARGET, `declare namespace Wire {\n${Object.entries(schemas).map(declared).join("\n")}}\n`);
