// Bundles src/widget.tsx into the one file that anywidget ships with every saved notebook.
// `node build.mjs --page DIR` builds the demo page of test/ into DIR instead.
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";
import { build } from "esbuild";

const LIMIT = 150_000;
const here = dirname(fileURLToPath(import.meta.url));

/** The style sheets become one text, for the shadow root. */
const styles = {
	name: "styles",
	setup({ onLoad }) {
		onLoad({ filter: /\.css$/ }, async ({ path }) => {
			const options = { entryPoints: [path], bundle: true, minify: true };
			const sheet = await build({ ...options, write: false });
			return { contents: sheet.outputFiles[0].text, loader: "text" };
		});
	},
};

/**
 * A module that inflates the bundle and imports it from memory, as anywidget itself imports it:
 * half the size, and it is saved in every notebook. Browsers that know popovers can inflate.
 */
function packed(code) {
	const data = deflateRawSync(code, { level: 9 }).toString("base64");
	return `const bytes=Uint8Array.from(atob("${data}"),(c)=>c.charCodeAt(0));
const stream=new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
const code=new Blob([await new Response(stream).text()],{type:"text/javascript"});
const{default:widget,savedView}=await import(URL.createObjectURL(code));
export{widget as default,savedView};
`;
}

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

async function bundle(entry) {
	const entryPoints = [join(here, entry)];
	const { outputFiles } = await build({ ...common, entryPoints, write: false });
	return outputFiles[0].contents;
}

const page = process.argv.indexOf("--page");
if (page >= 0) {
	const folder = process.argv[page + 1];
	await mkdir(folder, { recursive: true });
	await writeFile(join(folder, "page.js"), await bundle("test/page.tsx"));
	await copyFile(join(here, "test/page.html"), join(folder, "page.html"));
} else {
	const whole = await bundle("src/widget.tsx");
	const small = packed(whole);
	const kilobytes = (text) => `${(text.length / 1000).toFixed(1)} kB`;
	console.log(`widget.js: ${kilobytes(small)}, of ${kilobytes(whole)}`);
	await mkdir(join(here, "../nbxplain/static"), { recursive: true });
	await writeFile(join(here, "../nbxplain/static/widget.js"), small);
	if (small.length > LIMIT) {
		console.error(`The bundle is larger than ${LIMIT / 1000} kB.`);
		process.exit(1);
	}
}
