export { dateForms, filters } from './filters.ts';
export { templateLimits } from './limits.ts';
export { type ReadTemplate, readTemplate, type Template } from './read-template.ts';
export { renderTemplate } from './render-template.ts';
