namespace Meanwhile.Feeds;

/// <summary>The broker is not there, or not any more: worth trying again.</summary>
internal sealed class BrokerException(string message, Exception? inner = null) : Exception(message, inner);
