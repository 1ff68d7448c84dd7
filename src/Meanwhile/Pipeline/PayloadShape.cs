namespace Meanwhile.Pipeline;

/// <summary>
/// The text around the number and the time of the last flat object that was understood. A sender writes the same text around them each time, so comparing it
/// finds both: nothing has to be understood again. For use by one thread at a time.
/// </summary>
internal sealed class PayloadShape
{
    // Larger payloads are rare, and their cost lies elsewhere.
    private const int LongestPayload = 512;

    private readonly byte[] _payload = new byte[LongestPayload];
    private (int Start, int End) _first;
    private (int Start, int End) _second;
    private bool _timeComesFirst;
    private int _length;

    /// <summary>Remembers a payload.</summary>
    /// <param name="payload">A flat object, valid UTF-8.</param>
    /// <param name="value">Where its number is, without quotes.</param>
    /// <param name="time">Where its time is; an empty place for none.</param>
    public void Learn(ReadOnlySpan<byte> payload, Range value, Range time)
    {
        var (number, moment) = (WithQuotes(payload, value), WithQuotes(payload, time));
        _length = payload.Length > LongestPayload || number == moment ? 0 : payload.Length;
        if (_length == 0)
            return;
        payload.CopyTo(_payload);
        _timeComesFirst = time.End.Value > 0 && moment.Start < number.Start;
        (_first, _second) = time.End.Value == 0 ? (number, (_length, _length)) : _timeComesFirst ? (moment, number) : (number, moment);
    }

    /// <summary>Finds the number and the time of a payload that has the same text around them.</summary>
    public bool TryFind(ReadOnlySpan<byte> payload, out ReadOnlySpan<byte> value, out ReadOnlySpan<byte> time)
    {
        value = time = default;
        var reader = new FlatObjectReader(payload);
        if (_length == 0 || !reader.TrySkip(_payload.AsSpan(0, _first.Start)) || !reader.TryReadPlain(out var first))
            return false;
        ReadOnlySpan<byte> second = default;
        if (_second.Start < _length && !(reader.TrySkip(_payload.AsSpan(_first.End, _second.Start - _first.End)) && reader.TryReadPlain(out second)))
            return false;
        value = _timeComesFirst ? second : first;
        time = _timeComesFirst ? first : second;
        var last = _second.Start < _length ? _second.End : _first.End;
        return reader.TrySkip(_payload.AsSpan(last, _length - last)) && reader.IsAtEnd;
    }

    private static (int Start, int End) WithQuotes(ReadOnlySpan<byte> payload, Range place)
    {
        var (start, end) = (place.Start.Value, place.End.Value);
        return start > 0 && payload[start - 1] == '"' ? (start - 1, end + 1) : (start, end);
    }
}
