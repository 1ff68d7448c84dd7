using System.Text.Json;
using System.Text.Unicode;

namespace Meanwhile.Pipeline;

/// <summary>Makes a reading of a payload, where it lies: nothing is allocated for a payload that is one.</summary>
/// <param name="value">Where the number is.</param>
/// <param name="time">Where the time is; null takes the time of arrival, whatever the payload says.</param>
/// <param name="identity">Where the reading's own identity is; null for readings that have none.</param>
internal sealed class ReadingParser(JsonPointer value, JsonPointer? time, JsonPointer? identity = null)
{
    /// <summary>A larger payload is no reading. It is kept in the quarantine all the same.</summary>
    public const int LargestPayload = 256 * 1024;

    /// <summary>Longer identities would make the store's index unwieldy.</summary>
    private const int LongestIdentity = 1024;

    // As deep as a payload of that size can be: what is nested beside a good number is no reason against it, and costs no stack.
    private static readonly JsonReaderOptions AnyDepth = new() { MaxDepth = LargestPayload };

    /// <summary>The reason for a payload that is not UTF-8. It is the same for all of them, so that one line of the log stands for many.</summary>
    public const string NotUtf8 = "not valid UTF-8";

    private readonly bool _isFlat = value.Depth == 1 && time is null or { Depth: 1 } && identity is null or { Depth: 1 };
    private readonly bool _hasShape = identity is null;

    /// <summary>The seed's shape: <c>{"number": 46, "epochtime": "1669940235"}</c>.</summary>
    public static ReadingParser Default { get; } = new(JsonPointer.Parse("/number"), JsonPointer.Parse("/epochtime"));

    /// <summary>Reads a payload.</summary>
    /// <param name="payload">The message's bytes.</param>
    /// <param name="arrival">The time of arrival, milliseconds since the Unix epoch: used for a bare number.</param>
    /// <param name="found">The number, its time, and its identity's place in the payload.</param>
    /// <param name="reason">Why it is no reading, in words for a person; null when it is one.</param>
    /// <param name="shape">What the caller's last payloads looked like.</param>
    public bool TryParse(
        ReadOnlySpan<byte> payload, long arrival, out (long Time, double Value, Range Identity) found, out string? reason, PayloadShape? shape = null)
    {
        found = (arrival, 0, default);
        reason = null;
        if (payload.Length > LargestPayload)
        {
            reason = $"larger than {LargestPayload} bytes";
            return false;
        }
        if (shape is not null && shape.TryFind(payload, out var number, out var moment) && FiniteNumber.TryParse(number, out found.Value)
            && (time is null || EventTime.TryParse(moment, out found.Time)))
        {
            return true;
        }
        var text = payload.Trim(" \t\r\n"u8);
        if (text is [(byte)'{' or (byte)'[', ..])
            reason = Utf8.IsValid(payload) ? ParseDocument(payload, arrival, shape, out found) : WrongEncoding(payload);
        else if (FiniteNumber.TryParse(text, out found.Value))
            reason = identity is null ? null : NoIdentity();
        else if (Utf8Text.WithoutMark(payload) is var unmarked && unmarked.Length < payload.Length && unmarked is not [0xEF, ..]) // One mark is enough.
            return TryParseUnmarked(unmarked, payload.Length - unmarked.Length, arrival, out found, out reason, shape);
        else
            reason = WrongEncoding(payload) ?? "neither a JSON object nor a finite number";
        return reason is null;
    }

    private bool TryParseUnmarked(
        ReadOnlySpan<byte> payload, int mark, long arrival, out (long Time, double Value, Range Identity) found, out string? reason, PayloadShape? shape)
    {
        var isReading = TryParse(payload, arrival, out found, out reason, shape);
        found.Identity = (found.Identity.Start.Value + mark)..(found.Identity.End.Value + mark);
        return isReading;
    }

    private static string? WrongEncoding(ReadOnlySpan<byte> payload) => Utf8Text.FaultOfStart(payload) ?? (Utf8.IsValid(payload) ? null : NotUtf8);

    private string NoIdentity() => $"no identity at {identity} (--id)";

    private string? ParseDocument(ReadOnlySpan<byte> payload, long arrival, PayloadShape? shape, out (long Time, double Value, Range Identity) found)
    {
        found = (arrival, 0, default);
        var places = new Places();
        if (!TryFindInFlatObject(payload, shape, ref places))
        {
            places = new Places();
            if (!TryFind(payload, ref places))
                return Utf8Text.FaultOfStart(payload) ?? "not valid JSON";
        }

        if (places.Value.Length == 0)
            return $"no number at {value}";
        if (!FiniteNumber.TryParse(places.Value, out found.Value))
            return $"{value} is not a finite number";
        found.Identity = places.Identity;
        if (identity is not null && CheckIdentity(places.Identity.GetOffsetAndLength(payload.Length).Length) is { } problem)
            return problem;
        if (time is null)
            return null;
        if (places.Time.Length == 0)
            return $"no time at {time} (--time names another place, --time arrival does without)";
        return EventTime.TryParse(places.Time, out found.Time) ? null : $"{time} is neither seconds since 1970 nor an ISO 8601 time with a zone";
    }

    private bool TryFindInFlatObject(ReadOnlySpan<byte> payload, PayloadShape? shape, ref Places places)
    {
        if (!_isFlat)
            return false;
        var (number, moment) = (default(Range), default(Range));
        var reader = new FlatObjectReader(payload);
        while (reader.TryRead(out var name, out var found))
        {
            if (value.Matches(name))
                number = found;
            if (time is not null && time.Matches(name))
                moment = found;
            if (identity is not null && identity.Matches(name))
                places.Identity = found;
        }
        places.Value = payload[number];
        places.Time = payload[moment];
        if (!reader.HasGivenUp && _hasShape && places.Value.Length > 0 && (time is null || places.Time.Length > 0))
            shape?.Learn(payload, number, moment);
        return !reader.HasGivenUp;
    }

    private bool TryFind(ReadOnlySpan<byte> payload, ref Places places)
    {
        var reader = new Utf8JsonReader(payload, AnyDepth);
        try
        {
            reader.Read();
            Walk(ref reader, depth: 0, Wanted.Value | (time is null ? Wanted.None : Wanted.Time) | (identity is null ? Wanted.None : Wanted.Identity), ref places);
            reader.Read(); // Throws when anything but white space follows the document.
            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // The latter for a name that is no text.
        {
            return false;
        }
    }

    private string? CheckIdentity(int length) => length switch
    {
        0 => NoIdentity(),
        > LongestIdentity => $"{identity} is longer than {LongestIdentity} bytes",
        _ => null,
    };

    // Visits only members that lead to a place that is wanted; the last of two members of one name counts, as in most JSON readers.
    private void Walk(scoped ref Utf8JsonReader reader, int depth, Wanted wanted, ref Places places)
    {
        if (reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
        {
            if ((wanted & Wanted.Value) != Wanted.None && depth == value.Depth)
                places.Value = Scalar(ref reader);
            if ((wanted & Wanted.Time) != Wanted.None && depth == time!.Depth)
                places.Time = Scalar(ref reader);
            if ((wanted & Wanted.Identity) != Wanted.None && depth == identity!.Depth)
                places.Identity = PlaceOfScalar(ref reader);
            return;
        }

        var isObject = reader.TokenType == JsonTokenType.StartObject;
        for (var index = 0; reader.Read() && reader.TokenType is not (JsonTokenType.EndObject or JsonTokenType.EndArray); index++)
        {
            var onTheWay = isObject ? MatchName(ref reader, depth, wanted) : MatchIndex(index, depth, wanted);
            if (isObject)
                reader.Read();
            if (onTheWay == Wanted.None)
                reader.Skip();
            else
                Walk(ref reader, depth + 1, onTheWay, ref places);
        }
    }

    private Wanted MatchName(ref Utf8JsonReader reader, int depth, Wanted wanted) =>
        ((wanted & Wanted.Value) != Wanted.None && value.Matches(depth, ref reader) ? Wanted.Value : Wanted.None)
        | ((wanted & Wanted.Time) != Wanted.None && time!.Matches(depth, ref reader) ? Wanted.Time : Wanted.None)
        | ((wanted & Wanted.Identity) != Wanted.None && identity!.Matches(depth, ref reader) ? Wanted.Identity : Wanted.None);

    private Wanted MatchIndex(int index, int depth, Wanted wanted) =>
        ((wanted & Wanted.Value) != Wanted.None && value.Matches(depth, index) ? Wanted.Value : Wanted.None)
        | ((wanted & Wanted.Time) != Wanted.None && time!.Matches(depth, index) ? Wanted.Time : Wanted.None)
        | ((wanted & Wanted.Identity) != Wanted.None && identity!.Matches(depth, index) ? Wanted.Identity : Wanted.None);

    // Numbers and texts alike, without the quotes. A text with escapes holds neither a number nor a time.
    private static ReadOnlySpan<byte> Scalar(scoped ref Utf8JsonReader reader) =>
        reader.TokenType is JsonTokenType.Number or JsonTokenType.String && !reader.ValueIsEscaped ? reader.ValueSpan : "?"u8;

    // A redelivery has the same bytes, so escapes may stay as they are.
    private static Range PlaceOfScalar(ref Utf8JsonReader reader)
    {
        var start = (int)reader.TokenStartIndex + (reader.TokenType == JsonTokenType.String ? 1 : 0);
        return reader.TokenType is JsonTokenType.Number or JsonTokenType.String ? start..(start + reader.ValueSpan.Length) : default;
    }

    [Flags]
    private enum Wanted
    {
        None = 0,
        Value = 1,
        Time = 2,
        Identity = 4,
    }

    private ref struct Places
    {
        public ReadOnlySpan<byte> Value;
        public ReadOnlySpan<byte> Time;
        public Range Identity;
    }
}
