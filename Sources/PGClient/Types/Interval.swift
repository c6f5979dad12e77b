/// An `interval`: months, days and microseconds, which the server keeps apart, since neither a month nor a
/// day has a fixed length.
///
/// Equal are intervals of the same parts. The server's `=` is laxer: it takes a month for 30 days and a day
/// for 24 hours.
public struct PGInterval: Hashable, Sendable {
    /// Twelve of them are a year.
    public var months: Int32
    /// Days of the calendar, which have 23 to 25 hours.
    public var days: Int32
    /// Everything shorter than a day; it may exceed 24 hours.
    public var microseconds: Int64

    /// An interval of these parts, of which each may be negative.
    public init(months: Int32 = 0, days: Int32 = 0, microseconds: Int64 = 0) {
        self.months = months
        self.days = days
        self.microseconds = microseconds
    }

    /// A duration, rounded to microseconds. It must be shorter than 292,000 years.
    public init(_ duration: Duration) {
        let (microseconds, rest) = duration.attoseconds.quotientAndRemainder(dividingBy: 1_000_000_000_000)
        self.init(microseconds: Int64(microseconds + rest / 500_000_000_000))
    }

    /// Exactly as long; nil if there are months or days, whose length depends on where they are counted.
    public var duration: Duration? {
        months == 0 && days == 0 ? .microseconds(microseconds) : nil
    }
}

extension PGInterval: PGEncodable, PGDecodable, PGArrayElement {
    /// `interval`
    public static var pgType: PGType { .interval }
    /// `interval[]`
    public static var pgArrayType: PGType { .intervalArray }

    /// Microseconds, days and months.
    public func encode(into buffer: inout PGBuffer) {
        buffer.append(microseconds)
        buffer.append(days)
        buffer.append(months)
    }

    /// Reads an `interval`; `infinity` and `-infinity`, which Postgres 17 has, are refused.
    public init(from cell: PGCell) throws {
        let bytes = try cell.required(.interval)
        guard bytes.count == 16 else { throw PGDecodingError("\(bytes.count) bytes") }
        self.init(
            months: Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: 12, as: Int32.self)),
            days: Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: Int32.self)),
            microseconds: Int64(bigEndian: bytes.loadUnaligned(as: Int64.self))
        )
        guard self != Self(months: .max, days: .max, microseconds: .max),
            self != Self(months: .min, days: .min, microseconds: .min)
        else { throw PGDecodingError("an infinite interval has no length") }
    }
}
