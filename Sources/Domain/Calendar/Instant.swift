package import Foundation

/// A point in time in whole milliseconds since 1970-01-01T00:00:00Z: the
/// resolution of the extension's clock, and exact, unlike a floating `Date`.
package struct Instant: Hashable, Comparable, Sendable {
    package let milliseconds: Int64

    package init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// Parses RFC 3339, with or without fractional seconds, of which all beyond
    /// the third is dropped; nil for anything else, and for years outside
    /// 2000–2100, which no practice has seen.
    ///
    /// Not by Foundation: it reads 30 February and 25:61, and passes over what
    /// follows the zone.
    package init?(_ text: String) {
        guard text.utf8.count <= 40 else { return nil }
        var rest = text.utf8[...]
        guard let year = rest.takeNumber(ofDigits: 4), rest.take("-"),
            let month = rest.takeNumber(ofDigits: 2), rest.take("-"),
            let dayOfMonth = rest.takeNumber(ofDigits: 2), rest.take("T", "t"),
            let day = LocalDay(checking: year, month: month, day: dayOfMonth),
            let hour = rest.takeNumber(ofDigits: 2), hour < 24, rest.take(":"),
            let minute = rest.takeNumber(ofDigits: 2), minute < 60, rest.take(":"),
            // A leap second is the first of the next minute.
            let second = rest.takeNumber(ofDigits: 2), second <= 60,
            let fraction = rest.takeMilliseconds(),
            let offset = rest.takeOffset(), rest.isEmpty
        else { return nil }
        let minutes = (Int(day.daysSince1970) * 24 + hour) * 60 + minute - offset
        let milliseconds = Int64((minutes * 60 + second) * 1000 + fraction)
        guard (946_684_800_000..<4_102_444_800_000).contains(milliseconds) else { return nil }
        self.milliseconds = milliseconds
    }

    package static func < (left: Instant, right: Instant) -> Bool {
        left.milliseconds < right.milliseconds
    }

    package func advanced(by milliseconds: Int64) -> Instant {
        Instant(milliseconds: self.milliseconds + milliseconds)
    }

    package static func - (left: Instant, right: Instant) -> Duration {
        .milliseconds(left.milliseconds - right.milliseconds)
    }

    package static func + (instant: Instant, duration: Duration) -> Instant {
        let (seconds, attoseconds) = duration.components
        return Instant(
            milliseconds: instant.milliseconds + seconds * 1000 + attoseconds / 1_000_000_000_000_000
        )
    }

    /// The same instant as Foundation's type, for what speaks that.
    package var date: Date {
        Date(timeIntervalSince1970: Double(milliseconds) / 1000)
    }

    package init(_ date: Date) {
        self.milliseconds = Int64((date.timeIntervalSince1970 * 1000).rounded())
    }
}

extension Instant: Codable, CustomStringConvertible {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let instant = Instant(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "must be an RFC 3339 date and time between the years 2000 and 2100"
            )
        }
        self = instant
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    /// As JavaScript writes it. Not by Foundation, whose floating seconds turn
    /// some `.140` into `.139`: a session is known by its exact start.
    package var description: String {
        let seconds = milliseconds.flooredQuotient(by: 1000)
        let day = seconds.flooredQuotient(by: 86_400)
        let (secondOfDay, fraction) = (seconds - day * 86_400, milliseconds - seconds * 1000)
        let (hour, minute, second) = (secondOfDay / 3600, secondOfDay / 60 % 60, secondOfDay % 60)
        let time = "\(hour.twoDigits):\(minute.twoDigits):\(second.twoDigits)"
        return
            "\(LocalDay(daysSince1970: Int32(day)))T\(time).\(fraction / 100)\((fraction % 100).twoDigits)Z"
    }
}

// Takes a text apart from its start; what doesn't fit stays.
extension Substring.UTF8View {
    fileprivate mutating func take(_ characters: Unicode.Scalar...) -> Bool {
        guard let first, characters.contains(Unicode.Scalar(first)) else { return false }
        removeFirst()
        return true
    }

    private mutating func takeDigit() -> Int? {
        guard let first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return nil }
        removeFirst()
        return Int(first - UInt8(ascii: "0"))
    }

    fileprivate mutating func takeNumber(ofDigits count: Int) -> Int? {
        var number = 0
        for _ in 0..<count {
            guard let digit = takeDigit() else { return nil }
            number = number * 10 + digit
        }
        return number
    }

    /// 0 where there is no fraction; nil for a point without digits.
    fileprivate mutating func takeMilliseconds() -> Int? {
        guard take(".") else { return 0 }
        guard let tenths = takeDigit() else { return nil }
        var (milliseconds, weight) = (tenths * 100, 10)
        while let digit = takeDigit() {
            milliseconds += digit * weight
            weight /= 10
        }
        return milliseconds
    }

    /// Minutes east of UTC.
    fileprivate mutating func takeOffset() -> Int? {
        if take("Z", "z") { return 0 }
        let isEast = first == UInt8(ascii: "+")
        guard take("+", "-"), let hours = takeNumber(ofDigits: 2), hours < 24, take(":"),
            let minutes = takeNumber(ofDigits: 2), minutes < 60
        else { return nil }
        return (hours * 60 + minutes) * (isEast ? 1 : -1)
    }
}
