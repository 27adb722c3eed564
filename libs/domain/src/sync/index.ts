export * from './apply.ts';
export * from './conflict.ts';
export * from './defaults.ts';
export * from './echo.ts';
export * from './maps.ts';
export * from './plan.ts';
