namespace Meanwhile.History;

/// <summary>Cuts a stream into records: lines, and for CSV lines whose quotes are closed. It never seeks, and reads no further than it has to.</summary>
/// <param name="input">UTF-8, with or without a byte order mark.</param>
/// <param name="name">The stream's, for a person.</param>
internal sealed class RecordReader(Stream input, string name)
{
    /// <summary>The longest record, in bytes.</summary>
    public const int Longest = 1 << 20;

    // What is needed to recognise UTF-16.
    private const int ShortestStart = 4;

    private byte[] _buffer = new byte[128 << 10];
    private int _start;
    private int _end;
    private long _lines = 1;
    private bool _isCsv;

    /// <summary>The number of the line at which the last record begins, from 1 on.</summary>
    public long Line { get; private set; }

    /// <summary>How many bytes were read.</summary>
    public long BytesRead { get; private set; }

    /// <summary>Looks at the beginning. To be called first.</summary>
    /// <param name="format">What it is; null to find out.</param>
    /// <returns>What it is: JSON if that is what the first line begins like, or if there is none.</returns>
    /// <exception cref="UserException">It is not UTF-8.</exception>
    public async ValueTask<DataFormat> BeginAsync(DataFormat? format, CancellationToken cancellationToken)
    {
        while (_end < ShortestStart && await FillAsync(cancellationToken))
        {
        }
        if (Utf8Text.FaultOfStart(_buffer.AsSpan(0, _end)) is { } fault)
            throw new UserException($"{name}: {fault}");
        _start = _end - Utf8Text.WithoutMark(_buffer.AsSpan(0, _end)).Length;
        var at = _start;
        while (format is null)
        {
            var first = _buffer.AsSpan(at, _end - at).IndexOfAnyExcept(" \t\r\n"u8);
            if (first >= 0)
                format = _buffer[at + first] is (byte)'{' or (byte)'[' ? DataFormat.Json : DataFormat.Csv;
            else if (_end - _start > Longest || !await FillAsync(cancellationToken))
                format = DataFormat.Json;
        }
        _isCsv = format == DataFormat.Csv;
        return format.Value;
    }

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
                    isQuoted ^= _isCsv;
                if (_buffer[at] != '\n')
                    continue;
                _lines++;
                if (!isQuoted)
                    return Take(at, next: at + 1);
            }
            if (_end - _start > Longest)
                throw new UserException($"line {Line} is longer than {Longest} bytes{(isQuoted ? ", or a quote in it is not closed" : "")}: expected readings as meanwhile export writes them");
            var begun = at - _start;
            if (!await FillAsync(cancellationToken))
                return _start < _end ? Take(_end, _end) : default(ReadOnlyMemory<byte>?); // A bare null would become an empty record.
            at = _start + begun;
        }
    }

    private ReadOnlyMemory<byte> Take(int end, int next)
    {
        var record = _buffer.AsMemory(_start, end - _start);
        _start = next;
        return record.Span is [.., (byte)'\r'] ? record[..^1] : record;
    }

    // Reads what there is, behind what is there, which may move to the left. False at the end.
    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_end == _buffer.Length)
        {
            var larger = _end - _start > _buffer.Length / 2 ? new byte[_buffer.Length * 2] : _buffer;
            Array.Copy(_buffer, _start, larger, 0, _end - _start);
            (_buffer, _start, _end) = (larger, 0, _end - _start);
        }
        var length = await input.ReadAsync(_buffer.AsMemory(_end), cancellationToken).AsTask().WaitAsync(cancellationToken); // Standard input itself cannot be cancelled.
        _end += length;
        BytesRead += length;
        return length > 0;
    }
}
