#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension UUID: PGEncodable, PGDecodable, PGArrayElement {
    /// `uuid`
    public static var pgType: PGType { .uuid }
    /// `uuid[]`
    public static var pgArrayType: PGType { .uuidArray }

    /// Its sixteen bytes.
    public func encode(into buffer: inout PGBuffer) {
        withUnsafeBytes(of: uuid) { buffer.append(contentsOf: $0) }
    }

    /// Reads a `uuid`.
    @inlinable
    public init(from cell: PGCell) throws {
        let bytes = try cell.required(.uuid)
        guard bytes.count == 16 else { throw PGDecodingError("\(bytes.count) bytes") }
        self.init(uuid: bytes.loadUnaligned(as: uuid_t.self))
    }
}

extension Date: PGEncodable, PGDecodable, PGArrayElement {
    /// `timestamp with time zone`
    public static var pgType: PGType { .timestamptz }
    /// `timestamp with time zone[]`
    public static var pgArrayType: PGType { .timestamptzArray }

    /// From the server's epoch, 2000-01-01, to Foundation's, 2001-01-01, in microseconds.
    @usableFromInline static var epochDistance: Int64 { 366 * 86_400 * 1_000_000 }

    /// Rounded to microseconds, which is all that the server keeps. An infinite date is `infinity` or
    /// `-infinity`; one that the server can't hold is refused by it (22008).
    public func encode(into buffer: inout PGBuffer) {
        let interval = timeIntervalSinceReferenceDate
        let microseconds = (interval * 1e6).rounded()
        if interval == .infinity {
            buffer.append(Int64.max)
        } else if interval == -.infinity {
            buffer.append(Int64.min)
        } else if microseconds.magnitude < 9.2e18 {
            buffer.append(Int64(microseconds) + Self.epochDistance)
        } else {
            buffer.append(Int64.max - 1)
        }
    }

    /// Reads a `timestamp with time zone`. A `timestamp` without one names no moment and is refused.
    @inlinable
    public init(from cell: PGCell) throws {
        _ = try cell.required(.timestamptz)
        let microseconds = try cell.integer(Int64.self)
        switch microseconds {
        case .max: self.init(timeIntervalSinceReferenceDate: .infinity)
        case .min: self.init(timeIntervalSinceReferenceDate: -.infinity)
        default:
            // Both are below 2⁶³, and the server's earliest year is far from the edge.
            let (distance, overflow) = microseconds.subtractingReportingOverflow(Self.epochDistance)
            guard !overflow else { throw PGDecodingError("\(microseconds) µs is out of range") }
            self.init(timeIntervalSinceReferenceDate: Double(distance) / 1e6)
        }
    }
}

/// A `date`: a day in the calendar, which is no moment and has no time zone.
public struct PGDate: Hashable, Comparable, Sendable, PGEncodable, PGDecodable, PGArrayElement {
    /// Days since 1970-01-01.
    public var daysSince1970: Int32

    /// The day that many days after 1970-01-01.
    public init(daysSince1970: Int32) {
        self.daysSince1970 = daysSince1970
    }

    /// `date`
    public static var pgType: PGType { .date }
    /// `date[]`
    public static var pgArrayType: PGType { .dateArray }

    /// From 1970-01-01 to the server's epoch, 2000-01-01.
    @usableFromInline static var epochDistance: Int32 { 10_957 }

    /// Days since 2000-01-01. One that the server can't hold is refused by it (22008).
    public func encode(into buffer: inout PGBuffer) {
        let (days, overflow) = daysSince1970.subtractingReportingOverflow(Self.epochDistance)
        // The smallest is the server's -infinity.
        buffer.append(overflow || days == .min ? Int32.min + 1 : days)
    }

    /// Reads a `date`; `infinity` is refused.
    @inlinable
    public init(from cell: PGCell) throws {
        _ = try cell.required(.date)
        let (days, overflow) = try cell.integer(Int32.self).addingReportingOverflow(Self.epochDistance)
        guard !overflow, days != .min + Self.epochDistance else {
            throw PGDecodingError("an infinite date has no day")
        }
        daysSince1970 = days
    }

    /// The earlier day is the smaller.
    public static func < (left: PGDate, right: PGDate) -> Bool {
        left.daysSince1970 < right.daysSince1970
    }
}
