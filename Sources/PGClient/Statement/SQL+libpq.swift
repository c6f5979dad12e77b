import CLibpq

extension SQL {
    /// Why the statement can't be sent at all, if it can't: libpq would cut the text at a NUL.
    func validate(_ origin: Origin) throws {
        if parameters.count > 65_535 {
            throw PGError(
                .invalidStatement,
                "\(parameters.count) parameters, and the protocol allows 65535",
                origin
            )
        }
        if text.utf8.contains(0) { throw PGError(.invalidStatement, "the text contains a NUL", origin) }
    }

    /// How many bytes the text and the parameters have.
    var size: Int { text.utf8.count + buffer.bytes.count }

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
        return withValues { values, lengths, formats in
            if let name {
                return name.withUnsafeBufferPointer {
                    PQsendQueryPrepared(handle, $0.baseAddress, count, values, lengths, formats, 1) == 1
                }
            }
            return withOids { PQsendQueryParams(handle, text, count, $0, values, lengths, formats, 1) == 1 }
        }
    }

    private func withOids(_ body: (UnsafePointer<Oid>?) -> Bool) -> Bool {
        withUnsafeTemporaryAllocation(of: Oid.self, capacity: types.count) { oids in
            for (index, type) in types.enumerated() { oids[index] = Oid(type.oid) }
            return body(oids.baseAddress)
        }
    }

    /// The arrays that libpq wants, on the stack.
    private func withValues(
        _ body: (UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?) -> Bool
    ) -> Bool {
        let count = parameters.count
        return buffer.bytes.withUnsafeBytes { bytes in
            // A value of no bytes needs an address too, or it would be NULL.
            let base = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1)
            return withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: count) { values in
                withUnsafeTemporaryAllocation(of: Int32.self, capacity: 2 * count) { numbers in
                    for (index, parameter) in parameters.enumerated() {
                        values[index] = parameter.range.flatMap {
                            base?.advanced(by: $0.lowerBound).assumingMemoryBound(to: CChar.self)
                        }
                        numbers[index] = Int32(truncatingIfNeeded: parameter.range?.count ?? 0)
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
