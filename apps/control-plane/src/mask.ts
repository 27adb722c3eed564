/** Stands for a stored header value or secret; sent back, it leaves what is stored alone. */
export const MASK = '********';
