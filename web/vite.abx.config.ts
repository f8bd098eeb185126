// The listening test: one HTML file, which ships within the Python package.
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { onefile, oneFileBuild } from "./onefile";

const here = dirname(fileURLToPath(import.meta.url));

export default defineConfig({
  root: resolve(here, "abx"),
  base: "./",
  plugins: [onefile()],
  build: { ...oneFileBuild, outDir: resolve(here, process.env.VQSYNTH_ABX_OUT ?? "../vqsynth/listening/built") },
});
