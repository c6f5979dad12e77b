import CDomains
import Domain

extension DomainName {
    /// Where anybody gets a mailbox; Organizations/CDomains/public-mail-domains.txt says where that is from.
    private static let publicMail = Set(
        String(cString: bmd_public_mail_domains()).split(whereSeparator: \.isNewline)
            .filter { !$0.isEmpty && !$0.hasPrefix("#") }
            .map(String.init)
    )

    /// Why no company can hold it; nil where one can.
    var refusal: Problem? {
        if bmd_is_public_suffix(description) != 0 {
            return .invalid("domain", "is one under which anybody has domains")
        }
        if andParents.contains(where: Self.publicMail.contains) {
            return .invalid("domain", "is one in which anybody has addresses")
        }
        return nil
    }
}
