/** Limits of a template (docs/reference/templates.md). What goes beyond is refused at save, except the size of what it makes. */
export const templateLimits = {
  /** Characters of the template as JSON. */
  characters: 64 * 1024,
  depth: 20,
  placeholders: 500,
  filtersPerPlaceholder: 10,
  argumentsPerFilter: 50,
  pathSteps: 20,
  /** Characters of one rendered text; a longer one is cut. */
  renderedText: 100_000,
  problems: 20,
} as const;
