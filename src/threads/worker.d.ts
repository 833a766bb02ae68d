declare module '*.worker.js' {
  const text: string;
  export default text;
}
