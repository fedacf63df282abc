import tseslint from "typescript-eslint";

/** Where a folder of the house may import from: one way, as docs/architecture.md draws it. */
const walls = {
  kubeadm: ["quorum", "machine", "controlplane", "components", "cli", "classroom", "lab", "@pulumi/pulumi", "ssh2"],
  quorum: ["kubeadm", "machine", "controlplane", "components", "cli", "classroom", "lab", "@pulumi/pulumi", "ssh2"],
  machine: ["controlplane", "components", "cli", "classroom", "lab", "@pulumi/pulumi"],
  controlplane: ["components", "cli", "classroom", "lab", "@pulumi/pulumi"],
  components: ["cli", "classroom", "lab"],
  cli: ["components", "classroom", "lab"],
  classroom: ["components", "cli", "lab"],
  lab: ["kubeadm", "quorum", "machine", "controlplane", "components", "cli", "classroom"],
};

export default tseslint.config(
  { ignores: ["node_modules/"] },
  ...tseslint.configs.recommended,
  {
    rules: {
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/consistent-type-imports": ["error", { disallowTypeAnnotations: false }],
      // Lists of stages and of lifecycles hold members of different types.
      "@typescript-eslint/no-explicit-any": "off",
    },
  },
  ...Object.entries(walls).map(([folder, forbidden]) => ({
    files: [`${folder}/**/*.ts`],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: [{ group: forbidden.flatMap((f) => (f.startsWith("@") || f === "ssh2" ? [f] : [`../${f}/*`, `../../${f}/*`])), message: `${folder}/ must not import this (see docs/architecture.md, "Imports point one way").` }] },
      ],
    },
  })),
);
