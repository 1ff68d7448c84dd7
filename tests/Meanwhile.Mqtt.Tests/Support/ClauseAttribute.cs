using Xunit.v3;

namespace Meanwhile.Mqtt.Tests.Support;

/// <summary>Says which clauses of the standard a test proves: <c>MQTT-4.6.0-2</c> of 5.0, or <c>MQTT-3.3.5-2 of 3.1.1</c>. <c>--filter-trait "Clause=MQTT-4.6.0-2"</c> runs those of one.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ClauseAttribute(params string[] clauses) : Attribute, ITraitAttribute
{
    public IReadOnlyList<string> Clauses { get; } = clauses;

    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [.. Clauses.Select(clause => KeyValuePair.Create("Clause", clause))];
}
