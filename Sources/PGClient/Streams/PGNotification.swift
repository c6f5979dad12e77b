import CLibpq

/// A message that somebody has sent with NOTIFY.
public struct PGNotification: Sendable, Hashable {
    /// The channel on which it came.
    public let channel: String
    /// What the sender has added; empty if nothing.
    public let payload: String
    /// The server process of the sender's session.
    public let processID: Int32

    init(channel: String, payload: String, processID: Int32) {
        self.channel = channel
        self.payload = payload
        self.processID = processID
    }

    init(_ notification: PGnotify) {
        channel = notification.relname.map { String(cString: $0) } ?? ""
        payload = notification.extra.map { String(cString: $0) } ?? ""
        processID = notification.be_pid
    }
}
