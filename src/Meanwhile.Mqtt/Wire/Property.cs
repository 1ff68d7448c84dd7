namespace Meanwhile.Mqtt.Wire;

/// <summary>One property of MQTT 5.0.</summary>
/// <param name="Id">Which.</param>
/// <param name="Number">Its value, where that is a number.</param>
/// <param name="Text">Its value where that is text; the name of a user property.</param>
/// <param name="Value">The value of a user property.</param>
/// <param name="Data">Its value where that is bytes.</param>
public readonly record struct Property(PropertyId Id, uint Number = 0, string Text = "", string Value = "", ReadOnlyMemory<byte> Data = default);
