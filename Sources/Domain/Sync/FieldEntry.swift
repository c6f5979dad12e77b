import Foundation

/// One entry of a stored field: an unlock, a preset, a preference.
package struct FieldKey: Hashable, Sendable {
    package let field: String
    package let key: String

    package init(field: String, key: String) {
        self.field = field
        self.key = key
    }
}

package struct FieldEntry: Hashable, Sendable {
    /// Nil is a tombstone: the entry was removed, and older writes don't bring it back.
    package let value: JSONValue?
    package let stamp: Stamp
    /// The sync in which it last changed.
    package let syncVersion: Int

    package init(value: JSONValue?, stamp: Stamp, syncVersion: Int) {
        self.value = value
        self.stamp = stamp
        self.syncVersion = syncVersion
    }
}

/// When something was written, by a hybrid logical clock (Kulkarni et al.,
/// "Logical Physical Clocks", 2014): not before what its writer had seen, and not
/// after it arrived. In between, what the device's clock said decides.
package struct Stamp: Hashable, Comparable, Sendable {
    package let writtenAt: Instant
    /// As the device's clock labelled it: what orders the writes of one device.
    package let label: Instant
    package let deviceID: String

    package init(writtenAt: Instant, label: Instant, deviceID: String) {
        self.writtenAt = writtenAt
        self.label = label
        self.deviceID = deviceID
    }

    package static func < (left: Stamp, right: Stamp) -> Bool {
        (left.writtenAt, left.label, left.deviceID) < (right.writtenAt, right.label, right.deviceID)
    }
}

/// What a device wants written to a stored field.
struct FieldWrite {
    let field: StateField
    let entries: [String: JSONValue?]
    let stamp: Stamp

    /// More would be no preference any more.
    static let mostEntries = 500
    static let largestValue = 16_384
    /// Of all entries together: each answer has them all, and is kept for as long as it may be asked for again.
    static let largestField = 262_144

    /// - Throws: ``Unfit`` that says how the value must look.
    init(_ field: StateField, _ value: JSONValue, stamp: Stamp) throws(Unfit) {
        self.field = field
        self.stamp = stamp
        switch (field.rule, value) {
        case (.union, .array(let items)):
            entries = try Self.entries(
                items.map { ($0.label, JSONValue.bool(true)) },
                "must be a list of names"
            )
        case (.keyed, .array(let items)):
            entries = try Self.entries(items.map(Self.named), "must be a list of objects with an id")
        case (.keyed, .object(let members)), (.lastWriter, .object(let members)):
            entries = try Self.entries(
                members.map { (JSONValue.string($0).label, $1 == .null ? nil : $1) },
                "must have names of 1 to 64 characters"
            )
        case (.union, _): throw Unfit(why: "must be a list of names")
        case (.keyed, _): throw Unfit(why: "must be a list of objects with an id")
        default: throw Unfit(why: "must be an object")
        }
    }

    /// An object by its `id`; one that says `"deleted": true` is removed.
    private static func named(_ item: JSONValue) -> (String?, JSONValue?) {
        guard case .object(let members) = item else { return (nil, nil) }
        return (members["id"]?.label, members["deleted"] == .bool(true) ? nil : item)
    }

    private static func entries(_ pairs: [(String?, JSONValue?)], _ why: String) throws(Unfit) -> [String:
        JSONValue?]
    {
        var entries: [String: JSONValue?] = [:]
        for (name, value) in pairs {
            // In the form in which it is kept, which may be longer.
            guard
                let name = (name?.precomposedStringWithCanonicalMapping).flatMap({
                    JSONValue.string($0).label
                })
            else {
                throw Unfit(why: why)
            }
            guard (value?.size ?? 0) <= largestValue else {
                throw Unfit(why: "\(name) is larger than \(largestValue) bytes")
            }
            entries.updateValue(value, forKey: name)
        }
        guard entries.count <= mostEntries else {
            throw Unfit(why: "must have at most \(mostEntries) entries")
        }
        return entries
    }

    struct Unfit: Error {
        let why: String
    }

    /// Writes what is newer than what `ledger` has.
    func apply(to ledger: inout Ledger, syncVersion: Int) throws(Unfit) {
        var changed: [FieldKey: FieldEntry] = [:]
        for (name, value) in entries {
            let key = FieldKey(field: field.name, key: name)
            let known = ledger.fields[key]
            if let known, field.rule == .union || known.stamp >= stamp { continue }
            // The same again is written later, and no news.
            let lastChange = known.flatMap { $0.value == value ? $0.syncVersion : nil }
            changed[key] = FieldEntry(value: value, stamp: stamp, syncVersion: lastChange ?? syncVersion)
        }
        let present = ledger.fields.keys.count { $0.field == field.name }
        let added = changed.keys.count { ledger.fields[$0] == nil }
        // Of two accounts that became one there may be more, which can be changed and not added to.
        guard added == 0 || present + added <= Self.mostEntries else {
            throw Unfit(why: "would have more than \(Self.mostEntries) entries")
        }
        let growth = changed.reduce(0) { $0 + $1.value.size - (ledger.fields[$1.key]?.size ?? 0) }
        guard growth <= 0 || growth + ledger.size(of: field) <= Self.largestField else {
            throw Unfit(why: "would be larger than \(Self.largestField) bytes")
        }
        ledger.fields.merge(changed) { _, new in new }
    }
}

extension Ledger {
    fileprivate func size(of field: StateField) -> Int {
        fields.reduce(0) { $1.key.field == field.name ? $0 + $1.value.size : $0 }
    }
}

extension FieldEntry {
    /// Of one that was removed nothing is handed out.
    fileprivate var size: Int { value?.size ?? 0 }
}

extension JSONValue {
    /// About how many bytes it takes as text.
    fileprivate var size: Int {
        switch self {
        case .null, .bool: 4
        case .integer, .number: 8
        case .string(let text): text.utf8.count + 2
        case .array(let items): items.reduce(2) { $0 + $1.size + 1 }
        case .object(let members): members.reduce(2) { $0 + $1.key.utf8.count + $1.value.size + 4 }
        }
    }
}
