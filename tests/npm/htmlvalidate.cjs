// The recommended rules. Each rule that is off or changed says why.
const forms = { shared: ["radio", "checkbox", "button", "reset", "submit"] };

module.exports = {
  root: true,
  extends: ["html-validate:recommended"],
  rules: {
    // HTML permits both cases; the templates use the lower one.
    "doctype-style": ["error", { style: "lowercase" }],
    // The boxes of one question share a name, as Django's CheckboxSelectMultiple writes them.
    "form-dup-name": ["error", forms],
    // ARIA permits a name on a list; screen readers announce it.
    "aria-label-misuse": ["error", { allowAnyNamable: true }],
    // Django's widgets write `for` also on a label that contains its field.
    "no-redundant-for": "off",
    // A button without a type submits its form, which each button here does.
    "no-implicit-button-type": "off",
    // A copied number must keep its plain hyphens; the style sheet keeps it on one line.
    "tel-non-breaking": "off",
    // A limit of search results. A title begins with its page's name, then has the incident's.
    "long-title": "off",
    // White space at the end of a line means nothing; tags of templates leave it.
    "no-trailing-whitespace": "off",
    // Programs for mail ignore style sheets; the portal's pages have no inline style, by their
    // Content-Security-Policy, and the test checks it.
    "no-inline-style": process.env.MAIL ? "off" : "error",
  },
};
