import CLibpq

extension PGError {
    /// The error of a result, with every field that the server has sent.
    init(_ result: OpaquePointer, origin: Origin?) {
        func field(_ code: Int) -> String? {
            PQresultErrorField(result, Int32(code)).map { String(cString: $0) }
        }
        let whole = PQresultErrorMessage(result).map { String(cString: $0) } ?? ""
        self.init(.server, field(PGC_MESSAGE) ?? Self.trimmed(whole), origin)
        sqlState = field(PGC_SQLSTATE).map(SQLState.init(rawValue:))
        detail = field(PGC_DETAIL)
        hint = field(PGC_HINT)
        context = field(PGC_CONTEXT)
        schema = field(PGC_SCHEMA)
        table = field(PGC_TABLE)
        column = field(PGC_COLUMN)
        constraint = field(PGC_CONSTRAINT)
    }

    /// What libpq says about a connection's last failure.
    static func message(of handle: OpaquePointer) -> String {
        PQerrorMessage(handle).map { trimmed(String(cString: $0)) } ?? ""
    }

    /// libpq ends its messages with a line break.
    static func trimmed(_ message: String) -> String {
        var message = message
        while message.last?.isNewline == true { message.removeLast() }
        return message
    }
}
