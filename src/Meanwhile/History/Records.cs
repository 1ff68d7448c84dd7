namespace Meanwhile.History;

/// <summary>Cuts a stream into records: lines, and for CSV lines whose quotes are closed.</summary>
internal sealed class Records(Stream input, DataFormat format)
{
    /// <summary>The longest record, in bytes.</summary>
    public const int Longest = 1 << 20;

    private byte[] _buffer = new byte[128 << 10];
    private int _start;
    private int _end;
    private long _lines = 1;

    /// <summary>The number of the line at which the last record begins, from 1 on.</summary>
    public long Line { get; private set; }

    /// <summary>How many bytes were read.</summary>
    public long BytesRead { get; private set; }

    /// <summary>The next record without its line end, valid until the next call; null at the end.</summary>
    /// <exception cref="UserException">It is too long to be one.</exception>
    public async ValueTask<ReadOnlyMemory<byte>?> NextAsync(CancellationToken cancellationToken)
    {
        Line = _lines;
        var (at, isQuoted) = (_start, false);
        while (true)
        {
            for (; at < _end; at++)
            {
                if (_buffer[at] == '"')
                    isQuoted ^= format == DataFormat.Csv;
                if (_buffer[at] != '\n')
                    continue;
                _lines++;
                if (!isQuoted)
                    return Take(at, next: at + 1);
            }
            if (_end - _start > Longest)
                throw new UserException($"line {Line} is longer than {Longest} bytes{(isQuoted ? ", or a quote in it is not closed" : "")}: expected readings as meanwhile export writes them");
            at -= MakeRoom();
            var length = await input.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
            if (length == 0)
                return _start < _end ? Take(_end, _end) : default(ReadOnlyMemory<byte>?); // A bare null would become an empty record.
            _end += length;
            BytesRead += length;
        }
    }

    private ReadOnlyMemory<byte> Take(int end, int next)
    {
        var record = _buffer.AsMemory(_start, end - _start);
        _start = next;
        return record.Span is [.., (byte)'\r'] ? record[..^1] : record;
    }

    // How far what is there has moved to the left.
    private int MakeRoom()
    {
        if (_end < _buffer.Length)
            return 0;
        var moved = _start;
        var larger = _end - _start > _buffer.Length / 2 ? new byte[_buffer.Length * 2] : _buffer;
        Array.Copy(_buffer, _start, larger, 0, _end - _start);
        (_buffer, _start, _end) = (larger, 0, _end - _start);
        return moved;
    }
}
