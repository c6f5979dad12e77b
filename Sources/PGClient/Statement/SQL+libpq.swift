import CLibpq

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension SQL {
    var parameterCount: Int { parameters.count }

    var containsNUL: Bool { memchr(utf8, 0, utf8.count) != nil }

    /// Why a text of so many bytes with these values can't be sent, if it can't: the server takes less than 1 GiB.
    static func excess(of parameters: [Parameter], text: Int) -> String? {
        // The values lie one after the other. Each has a length and a format as well, and a message some more.
        let size = text + (parameters.last { $0.range != nil }?.range?.upperBound ?? 0)
        guard size + 6 * parameters.count + 256 >= 1 << 30 else { return nil }
        let largest = parameters.indices.max { parameters[$0].size < parameters[$1].size }
        guard let largest, parameters[largest].size > text else { return "the text has \(text) bytes" }
        return "parameter $\(largest + 1) has \(parameters[largest].size) bytes of \(size)"
    }

    /// How many bytes the text and the parameters have.
    var size: Int { utf8.count + buffer.bytes.count }

    func prepare(as name: StatementCache.Name, on handle: OpaquePointer) -> Bool {
        withOids { oids in
            name.withUnsafeBufferPointer {
                PQsendPrepare(handle, $0.baseAddress, text, Int32(types.count), oids) == 1
            }
        }
    }

    /// Sends the statement with its parameters, in binary both ways.
    func send(to handle: OpaquePointer, prepared name: StatementCache.Name? = nil) -> Bool {
        let count = Int32(parameters.count)
        if let name {
            return Self.withValues(parameters, buffer.bytes) { values, lengths, formats in
                name.withUnsafeBufferPointer {
                    PQsendQueryPrepared(handle, $0.baseAddress, count, values, lengths, formats, 1) == 1
                }
            }
        }
        return withOids { oids in
            Self.withValues(parameters, buffer.bytes) { values, lengths, formats in
                PQsendQueryParams(handle, text, count, oids, values, lengths, formats, 1) == 1
            }
        }
    }

    private func withOids(_ body: (UnsafePointer<Oid>?) -> Bool) -> Bool {
        withUnsafeTemporaryAllocation(of: Oid.self, capacity: types.count) { oids in
            for (index, type) in types.enumerated() { oids[index] = Oid(type.oid) }
            return body(oids.baseAddress)
        }
    }

    /// The arrays that libpq wants, on the stack. It isn't given the statement, of which every closure would have a
    /// copy.
    private static func withValues(
        _ parameters: [Parameter],
        _ bytes: [UInt8],
        _ body: (UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?) -> Bool
    ) -> Bool {
        let count = parameters.count
        if count == 0 { return body(nil, nil, nil) }
        return bytes.withUnsafeBytes { bytes in
            // A value of no bytes needs an address too, or it would be NULL.
            let base = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1)
            return withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: count) { values in
                withUnsafeTemporaryAllocation(of: Int32.self, capacity: 2 * count) { numbers in
                    for index in 0..<count {
                        let range = parameters[index].range
                        values[index] = range.flatMap {
                            base?.advanced(by: $0.lowerBound).assumingMemoryBound(to: CChar.self)
                        }
                        numbers[index] = Int32(range?.count ?? 0)
                        numbers[count + index] = 1
                    }
                    return body(
                        values.baseAddress,
                        numbers.baseAddress,
                        numbers.baseAddress.map { $0 + count }
                    )
                }
            }
        }
    }
}
