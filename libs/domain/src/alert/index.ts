export * from './build.ts';
export * from './recipe.ts';
