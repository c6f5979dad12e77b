/// An ISO 8601 week, Monday to Sunday, written `2026-W47`.
package struct Week: Hashable, Comparable, Sendable {
    package let monday: LocalDay

    package init(of day: LocalDay) {
        // 1970-01-01 was a Thursday, three days after a Monday.
        let weekday = (Int(day.daysSince1970) + 3).flooredQuotient(by: 7) * 7 - 3
        self.monday = LocalDay(daysSince1970: Int32(weekday))
    }

    /// Parses `2026-W47`; nil for a week that the year doesn't have.
    package init?(_ text: String) {
        let parts = text.split(separator: "-W", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.count == 4, parts[1].utf8.count == 2,
            let year = Int(parts[0]), let number = Int(parts[1]), (1...53).contains(number)
        else { return nil }
        // 4 January always lies in week 1.
        let first = Week(of: LocalDay(year: year, month: 1, day: 4))
        self.monday = first.monday.advanced(by: (number - 1) * 7)
        guard description == text else { return nil }
    }

    package static func < (left: Week, right: Week) -> Bool {
        left.monday < right.monday
    }
}

extension Week: CustomStringConvertible, Encodable {
    package var description: String {
        // A week belongs to the year of its Thursday.
        let year = monday.advanced(by: 3).civil.year
        let first = Week(of: LocalDay(year: year, month: 1, day: 4))
        let number = Int(monday.daysSince1970 - first.monday.daysSince1970) / 7 + 1
        return "\(year)-W\(number.twoDigits)"
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
