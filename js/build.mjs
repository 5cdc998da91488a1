// Bundles src/widget.tsx into the one file that anywidget ships with every saved notebook.
// `node build.mjs --page DIR` builds the demo page of test/ into DIR instead.
import { copyFile, mkdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";

const LIMIT = 150_000;
const here = dirname(fileURLToPath(import.meta.url));

/** Style sheets become text, for the shadow root; esbuild alone would leave that text as written. */
const styles = {
	name: "styles",
	setup({ onLoad }) {
		onLoad({ filter: /\.css$/ }, async ({ path }) => {
			const sheet = await readFile(path, "utf8");
			const { code } = await transform(sheet, { loader: "css", minify: true });
			return { contents: code.trim(), loader: "text" };
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
