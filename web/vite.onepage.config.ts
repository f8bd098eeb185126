// The one-file page: everything in one HTML file, which ships within the Python package.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";
import { onefile, oneFileBuild } from "./onefile";

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(here, process.env.VQSYNTH_PAGE_OUT ?? "../vqsynth/export/page/built");

/** The runtime of networks lies beside the page; the exporter puts it in. */
function runtime(): Plugin {
  return {
    name: "runtime",
    closeBundle() {
      const wasm = createRequire(import.meta.url).resolve("onnxruntime-web/wasm").replace(/[^/\\]*$/, "");
      mkdirSync(out, { recursive: true });
      const packed = gzipSync(readFileSync(resolve(wasm, "ort-wasm-simd-threaded.wasm")), { level: 9 });
      writeFileSync(resolve(out, "runtime.wasm.gz"), packed);
      copyFileSync(resolve(here, "onepage/runtime.LICENSE"), resolve(out, "runtime.LICENSE"));
    },
  };
}

export default defineConfig({
  root: resolve(here, "onepage"),
  base: "./",
  plugins: [onefile([".wasm"]), runtime()],
  worker: { format: "iife" },
  build: { ...oneFileBuild, outDir: out },
});
