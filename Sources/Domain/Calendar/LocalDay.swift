/// A calendar day as a person lived it, counted from 1970-01-01.
///
/// Arithmetic on days is plain integers: a day of 23 or 25 hours is one day.
package struct LocalDay: Hashable, Comparable, Sendable {
    package let daysSince1970: Int32

    package init(daysSince1970: Int32) {
        self.daysSince1970 = daysSince1970
    }

    /// The day that a clock on the wall in `zone` showed at `instant`, where a
    /// day begins at `start`.
    ///
    /// The hours are taken off what the clock showed, not off the instant. On a
    /// morning on which clocks went forward, four hours before 04:30 it was still
    /// yesterday; but whose day begins at 4 reads 04:30 and calls it today.
    package init(of instant: Instant, in zone: Zone, startingAt start: DayStart = .midnight) {
        self.init(of: instant, secondsFromUTC: zone.secondsFromUTC(at: instant), startingAt: start)
    }

    /// The day by a clock that is so many seconds ahead of UTC.
    init(of instant: Instant, secondsFromUTC: Int64, startingAt start: DayStart) {
        let localSeconds = instant.milliseconds.flooredQuotient(by: 1000) + secondsFromUTC
        self.daysSince1970 = Int32((localSeconds - Int64(start.hour) * 3600).flooredQuotient(by: 86_400))
    }

    /// Parses `2026-11-24`, of the years 2000 to 2099.
    package init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, text.utf8.count == 10, let year = Int(parts[0]), let month = Int(parts[1]),
            let day = Int(parts[2]), (2000..<2100).contains(year)
        else { return nil }
        self.init(checking: year, month: month, day: day)
        guard description == text else { return nil }
    }

    /// Parses the extension's `Date.toDateString()`, such as `Mon Sep 01 2025`.
    package init?(dateString: String) {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let parts = dateString.split(separator: " ")
        guard parts.count == 4, let month = months.firstIndex(of: String(parts[1])),
            let day = Int(parts[2]), let year = Int(parts[3]), (2000..<2100).contains(year)
        else { return nil }
        self.init(checking: year, month: month + 1, day: day)
    }

    package static func < (left: LocalDay, right: LocalDay) -> Bool {
        left.daysSince1970 < right.daysSince1970
    }

    package func advanced(by days: Int) -> LocalDay {
        LocalDay(daysSince1970: daysSince1970 + Int32(days))
    }
}

// Civil dates by Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms":
// the year begins in March, so that the leap day is its last.
extension LocalDay {
    package init(year: Int, month: Int, day: Int) {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted.flooredQuotient(by: 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        self.daysSince1970 = Int32(era * 146_097 + dayOfEra - 719_468)
    }

    /// Nil where the calendar has no such day, such as 30 February.
    init?(checking year: Int, month: Int, day: Int) {
        guard (1...12).contains(month), (1...31).contains(day) else { return nil }
        self.init(year: year, month: month, day: day)
        guard civil == (year, month, day) else { return nil }
    }

    package var civil: (year: Int, month: Int, day: Int) {
        let shifted = Int(daysSince1970) + 719_468
        let era = shifted.flooredQuotient(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}

extension LocalDay {
    /// The calendar month, as a number that no other month of any year has.
    var month: Int {
        let (year, month, _) = civil
        return year * 12 + month
    }
}

extension LocalDay: CustomStringConvertible, Encodable {
    package var description: String {
        let (year, month, day) = civil
        return "\(year)-\(month.twoDigits)-\(day.twoDigits)"
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension BinaryInteger {
    /// The quotient rounded towards minus infinity; `divisor` is positive.
    func flooredQuotient(by divisor: Self) -> Self {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }

    var twoDigits: String {
        self < 10 ? "0\(self)" : "\(self)"
    }
}
