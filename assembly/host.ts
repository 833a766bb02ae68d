// What the kernel asks of its host: the product of a matrix-free operator, or the action of a user's
// preconditioner. `id` is the number under which the host keeps the function.

/** y <- F(x), both of `n` elements. */
// @ts-ignore: decorator
@external("host", "multiply")
export declare function hostMultiply(id: i32, n: i32, x: usize, y: usize): void;
