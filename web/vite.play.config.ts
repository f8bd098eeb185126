// The playground's page, which ships within the Python package; served by `vqsynth play`.
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";

const here = dirname(fileURLToPath(import.meta.url));

/** The runtime of networks is not built in a second time: the server gives that of the one-file page. */
function onceOnly(): Plugin {
  return {
    name: "once-only",
    enforce: "post",
    generateBundle(_options, bundle) {
      for (const name of Object.keys(bundle)) if (name.endsWith(".wasm")) delete bundle[name];
    },
  };
}

export default defineConfig({
  root: resolve(here, "play"),
  base: "./",
  plugins: [onceOnly()],
  worker: { format: "es" },
  build: {
    outDir: resolve(here, process.env.VQSYNTH_PLAY_OUT ?? "../vqsynth/play/page"),
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
});
