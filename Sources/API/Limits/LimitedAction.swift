import Domain

/// What can be done only so often. Each row is an action; a route calls
/// ``Limits/take(_:from:account:)`` with its name before it does anything else.
struct LimitedAction: Sendable {
    /// The name of its policies in the answers, and part of what is counted: one that is
    /// renamed begins anew.
    let name: String
    /// For one source address, whoever asks from there: a house full of people, or one with a script.
    let perAddress: Quota?
    /// For one account, wherever it is asked from.
    let perAccount: Quota?

    static let createAccount = LimitedAction(
        name: "create-account",
        perAddress: Quota(30, perSeconds: 3600),
        perAccount: nil
    )
    /// An editor refreshes four times an hour.
    static let refresh = LimitedAction(
        name: "refresh",
        perAddress: Quota(600, perSeconds: 600),
        perAccount: Quota(20, perSeconds: 600)
    )
    /// For one account from one address, so that nobody can use up somebody else's.
    static let signIn = LimitedAction(
        name: "sign-in",
        perAddress: Quota(60, perSeconds: 600),
        perAccount: Quota(10, perSeconds: 600)
    )
    /// For one account, from wherever nobody has signed in to it before.
    static let guessPassword = LimitedAction(
        name: "guess-password",
        perAddress: nil,
        perAccount: Quota(100, perSeconds: 3600)
    )
    static let forgetPassword = LimitedAction(
        name: "forget-password",
        perAddress: Quota(10, perSeconds: 3600),
        perAccount: nil
    )
    static let resetPassword = LimitedAction(
        name: "reset-password",
        perAddress: Quota(30, perSeconds: 3600),
        perAccount: nil
    )
    static let changePassword = LimitedAction(
        name: "change-password",
        perAddress: nil,
        perAccount: Quota(10, perSeconds: 3600)
    )
    static let deleteAccount = LimitedAction(
        name: "delete-account",
        perAddress: nil,
        perAccount: Quota(10, perSeconds: 3600)
    )
    /// Each reads all that there is of somebody.
    static let exportAccount = LimitedAction(
        name: "export-account",
        perAddress: nil,
        perAccount: Quota(10, perSeconds: 3600)
    )
    static let askDeviceSignIn = LimitedAction(
        name: "ask-device-sign-in",
        perAddress: Quota(30, perSeconds: 600),
        perAccount: nil
    )
    /// A device asks 120 times in ten minutes.
    static let pollDeviceSignIn = LimitedAction(
        name: "poll-device-sign-in",
        perAddress: Quota(1200, perSeconds: 600),
        perAccount: nil
    )
    /// A code has 34 bits, and lives ten minutes.
    static let enterDeviceCode = LimitedAction(
        name: "enter-device-code",
        perAddress: Quota(30, perSeconds: 600),
        perAccount: Quota(20, perSeconds: 600)
    )
    /// Anybody may ask, and each may bring an export of 2 MiB to be judged.
    static let askEligibility = LimitedAction(
        name: "ask-eligibility",
        perAddress: Quota(60, perSeconds: 60),
        perAccount: nil
    )
    /// Each may have the provider asked.
    static let showIdentity = LimitedAction(
        name: "show-identity",
        perAddress: Quota(60, perSeconds: 600),
        perAccount: nil
    )
    /// A code has 34 bits, and lives half an hour.
    static let enterMergeCode = LimitedAction(
        name: "enter-merge-code",
        perAddress: Quota(30, perSeconds: 600),
        perAccount: Quota(20, perSeconds: 600)
    )
    static let recover = LimitedAction(
        name: "recover",
        perAddress: Quota(30, perSeconds: 3600),
        perAccount: nil
    )
    /// Beside what `app.redeem_friend_code` counts for an account.
    static let redeemFriendCode = LimitedAction(
        name: "redeem-friend-code",
        perAddress: Quota(60, perSeconds: 3600),
        perAccount: nil
    )
    static let makeFriendCode = LimitedAction(
        name: "make-friend-code",
        perAddress: nil,
        perAccount: Quota(30, perSeconds: 3600)
    )
    static let foundOrganization = LimitedAction(
        name: "found-organization",
        perAddress: nil,
        perAccount: Quota(10, perSeconds: 3600)
    )
    /// Each has somebody else's name servers asked.
    static let proveDomain = LimitedAction(
        name: "prove-domain",
        perAddress: nil,
        perAccount: Quota(60, perSeconds: 3600)
    )
    static let invite = LimitedAction(
        name: "invite",
        perAddress: nil,
        perAccount: Quota(200, perSeconds: 86_400)
    )
    static let createToken = LimitedAction(
        name: "create-token",
        perAddress: nil,
        perAccount: Quota(30, perSeconds: 3600)
    )
}

extension RateLimitPolicy {
    /// Whatever somebody with a token asks for: counted by ``AccountAllowance``.
    static let everything = RateLimitPolicy("request-account", Quota(1200, perSeconds: 60))
    /// A directory that is connected sends everybody at once, one after the other.
    static let organizationKey = RateLimitPolicy("request-key", Quota(30_000, perSeconds: 60))
}
