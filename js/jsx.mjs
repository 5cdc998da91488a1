// What JSX becomes in the bundle: esbuild imports these names wherever they are needed.
export { Fragment, h } from "preact";
