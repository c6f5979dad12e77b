/// The first of some errors, which is what the caller learns. It is kept apart, since an error is large and there
/// hardly ever is one.
struct FirstError: Sendable {
    private final class Box: Sendable {
        let error: PGError

        init(_ error: PGError) {
            self.error = error
        }
    }

    private var box: Box?
    var error: PGError? { box?.error }

    mutating func note(_ error: PGError) {
        if box == nil { box = Box(error) }
    }
}
