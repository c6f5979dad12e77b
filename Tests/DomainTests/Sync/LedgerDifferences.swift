import Domain

extension Ledger {
    /// What tells two ledgers apart, in lines short enough to read.
    func differences(from other: Ledger) -> [String] {
        func lines<Key: Hashable, Value: Equatable>(_ ours: [Key: Value], _ theirs: [Key: Value]) -> [String]
        {
            Set(ours.keys).union(theirs.keys)
                .filter { ours[$0] != theirs[$0] }
                .map { key in
                    let (our, their) = (ours[key].map { "\($0)" }, theirs[key].map { "\($0)" })
                    return "\(our ?? "nothing at \(key)") ≠ \(their ?? "nothing")"
                }
        }
        var lines = lines(devices, other.devices) + lines(sessions, other.sessions)
        lines += challenges == other.challenges ? [] : ["challenges"]
        lines += judgements == other.judgements ? [] : ["judgements"]
        lines += days == other.days ? [] : ["days"]
        lines += floorXP == other.floorXP ? [] : ["floorXP \(floorXP) ≠ \(other.floorXP)"]
        lines += fields == other.fields ? [] : ["fields"]
        lines += epoch == other.epoch ? [] : ["epoch \(epoch) ≠ \(other.epoch)"]
        lines += epochStartedAt == other.epochStartedAt ? [] : ["epochStartedAt"]
        lines += eligibleAt == other.eligibleAt ? [] : ["eligibleAt"]
        return lines
    }
}
