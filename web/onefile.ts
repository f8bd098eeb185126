// Pages of one file: scripts and styles go into the page itself.
import type { Plugin } from "vite";

/** The page becomes `template.html`; files whose names end as one of `beside` are left to others. */
export function onefile(beside: string[] = []): Plugin {
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
        } else if (!beside.some((end) => name.endsWith(end))) {
          throw new Error(`${name} has no place in one file`);
        }
        delete bundle[name];
      }
      page.fileName = "template.html";
      page.source = html;
    },
  };
}

/** What the builds of such pages have in common. */
export const oneFileBuild = {
  emptyOutDir: true,
  target: "es2022",
  modulePreload: false,
  cssCodeSplit: false,
  assetsInlineLimit: 0,
  reportCompressedSize: false,
} as const;
