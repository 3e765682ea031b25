/** How the dashboard is built: into `dist/web`, from web/ alone, with nothing inline, so that its policy can be strict. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

export default defineConfig({
  root: fileURLToPath(new URL("web", import.meta.url)),
  base: "/",
  publicDir: false,
  logLevel: "warn",
  build: {
    outDir: fileURLToPath(new URL("dist/web", import.meta.url)),
    emptyOutDir: true,
    target: "es2023",
    // Those that know light-dark(): what is put in its place for older ones would follow the system and not the choice.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    // The policy allows neither data: nor inline code.
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
  },
});
