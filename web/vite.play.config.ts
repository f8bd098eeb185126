// The playground's page, which ships within the Python package; served by `vqsynth play`.
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = dirname(fileURLToPath(import.meta.url));

export default defineConfig({
  root: resolve(here, "play"),
  base: "./",
  build: {
    outDir: resolve(here, process.env.VQSYNTH_PLAY_OUT ?? "../vqsynth/play/page"),
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
});
