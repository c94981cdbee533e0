// The words in a source file that can reach a person, found in its syntax tree.

import { parseSync } from "vite";

export interface Literal {
  text: string;
  line: number;
}

type Tree = { type: string; start: number; [name: string]: unknown };

/** Attributes and fields whose value is read by a program and by nobody else. */
const TECHNICAL_FIELDS = new Set([
  ...[
    "class",
    "type",
    "role",
    "method",
    "rel",
    "target",
    "loading",
    "preload",
    "scope",
    "dir",
    "for",
  ],
  ...["d", "id", "points", "viewBox", "preserveAspectRatio", "text-anchor", "fill", "transform"],
  ...["href", "src", "key", "credentials", "cache", "encoding", "filter", "paint", "layout"],
]);
/** Functions whose arguments are read by a program. */
const TECHNICAL_CALLS = new Set([
  ...["querySelector", "querySelectorAll", "matches", "closest", "addEventListener", "getContext"],
  ...["createElementNS", "setAttribute", "getItem", "setItem", "removeItem", "toggle", "fetch"],
  ...["matchMedia", "replace", "replaceAll", "warn", "includes", "startsWith"],
]);

/** Functions that put their arguments on the page, and how many of them are something else. */
const SHOWING_CALLS: Record<string, number> = { el: 2, svg: 2, put: 1, fill: 1, tell: 0, sheet: 0 };

/**
 * Every text of a TypeScript file that looks like words for a person: of two words, begun with a
 * capital, or, where it is put on the page by the very call that it stands in, of any letters.
 */
export function wordsIn(source: string): Literal[] {
  const { program, errors } = parseSync("source.ts", source);
  if (errors.length) throw new Error(errors[0]!.message);
  const found: Literal[] = [];
  look(program as unknown as Tree, false, (text, start, isShown) => {
    if (!(isShown ? /\p{L}{2}/u.test(text) : looksLikeWords(text))) return;
    found.push({ text: text.trim(), line: source.slice(0, start).split("\n").length });
  });
  return found;
}

function looksLikeWords(text: string): boolean {
  return /\p{L}{2,}\S*\s+\S*\p{L}/u.test(text) || /^\s*\p{Lu}\p{Ll}+\W*$/u.test(text);
}

type Found = (text: string, start: number, isShown: boolean) => void;

function look(node: unknown, isShown: boolean, found: Found): void {
  if (Array.isArray(node)) {
    for (const one of node) look(one, isShown, found);
    return;
  }
  if (typeof node !== "object" || node === null) return;
  const tree = node as Tree;
  if (typeof tree.type !== "string" || isTechnical(tree)) return;
  if (tree.type === "Literal" && typeof tree.value === "string")
    found(tree.value, tree.start, isShown);
  if (tree.type === "TemplateLiteral") {
    const parts = (tree.quasis as { value: { cooked: string } }[]).map((one) => one.value.cooked);
    found(parts.join("0"), tree.start, isShown);
  }
  if (tree.type === "CallExpression") {
    const others = SHOWING_CALLS[calleeOf(tree)] ?? Number.POSITIVE_INFINITY;
    const given = tree.arguments as unknown[];
    for (const [i, one] of given.entries()) look(one, i >= others, found);
    look(tree.callee, false, found);
  } else if (tree.type === "ConditionalExpression") {
    look(tree.test, false, found);
    look([tree.consequent, tree.alternate], isShown, found);
  } else {
    for (const value of Object.values(tree)) look(value, false, found);
  }
}

function isTechnical(tree: Tree): boolean {
  if (tree.type.startsWith("TS") && !("expression" in tree)) return true;
  if (tree.type.startsWith("Import") && tree.type !== "ImportExpression") return true;
  if (tree.type === "Property") return TECHNICAL_FIELDS.has(nameOf(tree.key));
  return tree.type === "CallExpression" && TECHNICAL_CALLS.has(calleeOf(tree));
}

function calleeOf(call: Tree): string {
  const callee = call.callee as Tree;
  return nameOf(callee.type === "MemberExpression" ? callee.property : callee);
}

function nameOf(node: unknown): string {
  const { name, value } = node as { name?: string; value?: unknown };
  return name ?? String(value ?? "");
}
