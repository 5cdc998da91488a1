// Bundles src/widget.tsx into the one file that anywidget ships with every saved notebook.
// `node build.mjs --page DIR` builds the demo page of test/ into DIR instead.
import { copyFile, mkdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";
import { build } from "esbuild";

const LIMIT = 150_000;
const here = dirname(fileURLToPath(import.meta.url));

/**
 * The style sheets become one text, for the shadow root. It travels deflated: it compresses to a
 * quarter, and the bundle is saved in every notebook. Every browser that knows popovers can inflate.
 */
const styles = {
	name: "styles",
	setup({ onLoad }) {
		onLoad({ filter: /\.css$/ }, async ({ path }) => {
			const options = { entryPoints: [path], bundle: true, minify: true };
			const sheet = await build({ ...options, write: false });
			const [{ contents }] = sheet.outputFiles;
			const deflated = deflateRawSync(contents, { level: 9 });
			const bytes = `Uint8Array.from(atob("${deflated.toString("base64")}"),c=>c.charCodeAt(0))`;
			const stream = `new Blob([${bytes}]).stream().pipeThrough(new DecompressionStream("deflate-raw"))`;
			return {
				contents: `export default await new Response(${stream}).text()`,
			};
		});
	},
};

const common = {
	bundle: true,
	minify: true,
	format: "esm",
	target: "es2022",
	// Calls of `h` are shorter than those of the automatic runtime: 3 kB in all.
	tsconfigRaw: {
		compilerOptions: {
			jsx: "react",
			jsxFactory: "h",
			jsxFragmentFactory: "Fragment",
		},
	},
	inject: [join(here, "jsx.mjs")],
	plugins: [styles],
	// A bundled UMD file must not register itself with the notebook's AMD loader.
	define: { "define.amd": "false" },
	legalComments: "none",
};

async function bundle(entry, outfile) {
	await mkdir(dirname(outfile), { recursive: true });
	await build({ ...common, entryPoints: [join(here, entry)], outfile });
	return (await stat(outfile)).size;
}

const page = process.argv.indexOf("--page");
if (page >= 0) {
	const folder = process.argv[page + 1];
	await bundle("test/page.tsx", join(folder, "page.js"));
	await copyFile(join(here, "test/page.html"), join(folder, "page.html"));
} else {
	const size = await bundle(
		"src/widget.tsx",
		join(here, "../nbxplain/static/widget.js"),
	);
	console.log(`widget.js: ${(size / 1000).toFixed(1)} kB`);
	if (size > LIMIT) {
		console.error(`The bundle is larger than ${LIMIT / 1000} kB.`);
		process.exit(1);
	}
}
