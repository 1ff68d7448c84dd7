using System.Globalization;
using System.Text;

namespace Meanwhile.Terminal;

/// <summary>A result on one line, for pipes and files: time of arrival, topic, values, with tabs between them.</summary>
internal static class ResultLine
{
    /// <summary>Lays a result out; numbers are the shortest text that reads back to the same.</summary>
    public static string Format(DateTimeOffset arrived, string topic, IReadOnlyList<StatsMember> result)
    {
        var line = new StringBuilder($"{arrived.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}\t{SafeText.Of(topic)}");
        foreach (var member in result)
            line.Append('\t').Append(SafeText.Of(member.Name)).Append('=').Append(member.Value?.ToString(CultureInfo.InvariantCulture) ?? "null");
        return line.Append('\n').ToString();
    }
}
