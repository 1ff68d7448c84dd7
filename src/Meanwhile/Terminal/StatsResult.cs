using System.Text.Json;

namespace Meanwhile.Terminal;

/// <summary>One member of a result.</summary>
/// <param name="Name">Such as <c>avg_1min</c>; a stranger's text.</param>
/// <param name="Value">Finite; null where the window held no reading.</param>
internal readonly record struct StatsMember(string Name, double? Value);

/// <summary>A result as it is published: a JSON object of numbers and nulls.</summary>
internal static class StatsResult
{
    /// <summary>Reads one.</summary>
    /// <param name="payload">What was received.</param>
    /// <param name="members">In their order; empty when it is no result.</param>
    /// <param name="reason">Why it is no result; null when it is one.</param>
    public static bool TryParse(ReadOnlySpan<byte> payload, out IReadOnlyList<StatsMember> members, out string? reason)
    {
        List<StatsMember> found = [];
        try
        {
            reason = Read(payload, found);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // The latter for a name that is no text.
        {
            reason = "not valid JSON";
        }
        members = reason is null ? found : [];
        return reason is null;
    }

    private static string? Read(ReadOnlySpan<byte> payload, List<StatsMember> members)
    {
        var reader = new Utf8JsonReader(Utf8Text.WithoutMark(payload));
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return "not a JSON object";
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            double number = 0;
            var isNumber = reader.TokenType == JsonTokenType.Number && reader.TryGetDouble(out number) && double.IsFinite(number);
            if (!isNumber && reader.TokenType != JsonTokenType.Null)
                return "a member is neither a number nor null";
            members.Add(new StatsMember(name, isNumber ? number : null));
        }
        reader.Read();
        return members.Count == 0 ? "an empty JSON object" : null;
    }
}
