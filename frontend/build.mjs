// Builds the page into src/aftermap/web/static/, with the licences of what is in it.

import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, "..", "src", "aftermap", "web", "static");

await rm(target, { recursive: true, force: true });
await mkdir(target, { recursive: true });
const made = await build({
  // The mesh is a file of its own: three.js is large, and loaded when 3-D is first asked for.
  entryPoints: { app: join(here, "src", "main.ts"), mesh: join(here, "src", "mesh.ts") },
  outdir: target,
  external: ["./mesh.js"],
  bundle: true,
  format: "esm",
  target: ["chrome110", "firefox110", "safari16"],
  minify: true,
  metafile: true,
  legalComments: "none",
  alias: { events: join(here, "src", "events.ts") },
  loader: { ".svg": "dataurl" },
  logLevel: "warning",
});
await writeFile(join(target, "index.html"), await worded(join(here, "src", "index.html")));
await copyFile(join(here, "src", "icon.svg"), join(target, "icon.svg"));
await copyFile(
  join(here, "node_modules", "maplibre-gl", "dist", "maplibre-gl-worker.mjs"),
  join(target, "maplibre-worker.js"),
);
await writeFile(join(target, "LICENSES.txt"), await licences(made.metafile));

/** The page with its words, which are those of src/texts.ts, in place of "{{name}}". */
async function worded(path) {
  const bundled = await build({
    entryPoints: [join(here, "src", "texts.ts")],
    bundle: true,
    format: "esm",
    write: false,
  });
  const source = Buffer.from(bundled.outputFiles[0].contents).toString("base64");
  const { DIRECTION, LANGUAGE, texts } = await import(`data:text/javascript;base64,${source}`);
  const words = { ...texts.page, language: LANGUAGE, direction: DIRECTION };
  return (await readFile(path, "utf8")).replace(/\{\{(\w+)\}\}/g, (_, name) => {
    if (typeof words[name] !== "string") throw new Error(`src/texts.ts has no page.${name}`);
    return words[name];
  });
}

async function licences(metafile) {
  const packages = new Set(["maplibre-gl"]);
  for (const path of Object.keys(metafile.inputs)) {
    const found = path.match(/.*node_modules\/((?:@[^/]+\/)?[^/]+)\//);
    if (found) packages.add(found[1]);
  }
  // The worker is copied as it is, so all that maplibre-gl is made of is in the page.
  const maplibre = JSON.parse(await read("maplibre-gl", "package.json"));
  for (const name of Object.keys(maplibre.dependencies)) {
    if (!name.startsWith("@types/")) packages.add(name);
  }
  const parts = [];
  for (const name of [...packages].sort()) parts.push(await licence(name));
  return `The page of Aftermap's workbench contains these packages:\n\n${parts.join("\n")}`;
}

async function licence(name) {
  const facts = JSON.parse(await read(name, "package.json"));
  const files = await readdir(join(here, "node_modules", name));
  const file = files.find((one) => /^licen[cs]e/i.test(one));
  const text = file
    ? await read(name, file)
    : `(no text in the package; it says: ${facts.license})\n`;
  return `${"=".repeat(78)}\n${name} ${facts.version}: ${facts.license}\n${"=".repeat(78)}\n${text}`;
}

function read(name, file) {
  return readFile(join(here, "node_modules", name, file), "utf8");
}
