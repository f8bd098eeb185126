// The one-file page: everything in one HTML file, which ships within the Python package.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(here, process.env.VQSYNTH_PAGE_OUT ?? "../vqsynth/export/page/built");

/** Scripts and styles into the page itself, the runtime beside it. */
function onefile(): Plugin {
  return {
    name: "onefile",
    enforce: "post",
    generateBundle(_options, bundle) {
      const page = Object.values(bundle).find((file) => file.fileName.endsWith(".html"));
      if (page?.type !== "asset") throw new Error("no page was built");
      let html = String(page.source);
      for (const [name, file] of Object.entries(bundle)) {
        if (file === page) continue;
        if (file.type === "chunk") {
          const code = file.code.replaceAll("</script", "<\\/script");
          html = html.replace(/<script type="module"[^>]*src="[^"]*"[^>]*><\/script>/, "");
          // A function, as a plain string would have its $ read as patterns.
          html = html.replace("<!--script-->", () => `<script type="module">\n${code}</script>`);
        } else if (name.endsWith(".css")) {
          html = html.replace(/<link rel="stylesheet"[^>]*>/, () => `<style>\n${String(file.source)}</style>`);
        } else if (!name.endsWith(".wasm")) {
          // The runtime lies beside the page.
          throw new Error(`${name} has no place in one file`);
        }
        delete bundle[name];
      }
      page.fileName = "template.html";
      page.source = html;
    },
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
  plugins: [onefile()],
  worker: { format: "iife" },
  build: {
    outDir: out,
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
});
