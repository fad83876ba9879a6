/** The same texts in Korean, which has one plural form; the others of English are left out. */
export type Translation<Tree> = {
  [
    Key in keyof Tree as Key extends `${string}_${'one' | 'two' | 'few'}` ? never : Key
  ]: Tree[Key] extends string ? string : Translation<Tree[Key]>;
};
