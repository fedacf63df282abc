/** `1 machine`, `2 machines`. */
export const count = (number: number, one: string, several = `${one}s`): string => `${number} ${number === 1 ? one : several}`;
