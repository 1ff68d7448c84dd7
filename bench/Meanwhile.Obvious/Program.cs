using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using MQTTnet;
using MQTTnet.Protocol;

// The obvious program: for each message it inserts a row, deletes what is older than 35 minutes, asks SQLite for the three means and publishes them, as the
// seed's subscriber does, and acknowledges the message when that is done. It is told where in its environment; `meanwhile bench ingest --beside` runs it.
string Setting(string name, string otherwise) => Environment.GetEnvironmentVariable(name) ?? otherwise;
var (topic, statsTopic) = (Setting("TOPIC", "DATA"), Setting("STATS_TOPIC", "STATS"));

using var database = new SqliteConnection($"Data Source={Setting("DB_FILE", "obvious.db")};Pooling=False");
database.Open();
Command("CREATE TABLE IF NOT EXISTS messages (number INTEGER, epochtime INTEGER)").ExecuteNonQuery();
using var insert = Command("INSERT INTO messages VALUES ($number, $time)", "$number", "$time");
using var expire = Command("DELETE FROM messages WHERE $now - epochtime > 2100", "$now");
using var mean = Command("SELECT AVG(number) FROM messages WHERE $now - epochtime <= $window", "$now", "$window");

using var client = new MqttClientFactory().CreateMqttClient();
client.ApplicationMessageReceivedAsync += async received =>
{
    using var reading = JsonDocument.Parse(received.ApplicationMessage.Payload.ToArray());
    var time = long.Parse(reading.RootElement.GetProperty("epochtime").GetString()!, CultureInfo.InvariantCulture);
    Run(insert, reading.RootElement.GetProperty("number").GetInt64(), time);
    Run(expire, time);
    var result = $"{{\"avg_1min\": {Mean(time, 60)}, \"avg_5min\": {Mean(time, 300)}, \"avg_30min\": {Mean(time, 1800)}}}";
    await client.PublishStringAsync(statsTopic, result, MqttQualityOfServiceLevel.AtLeastOnce);
};
var ended = new TaskCompletionSource();
client.DisconnectedAsync += _ =>
{
    ended.TrySetResult();
    return Task.CompletedTask;
};
await client.ConnectAsync(new MqttClientOptionsBuilder().WithTcpServer(Setting("BROKER", "localhost"), int.Parse(Setting("BROKER_PORT", "1883"), CultureInfo.InvariantCulture)).Build());
await client.SubscribeAsync(topic, MqttQualityOfServiceLevel.AtLeastOnce);
await ended.Task;

SqliteCommand Command(string sql, params string[] parameters)
{
    var command = database.CreateCommand();
    command.CommandText = sql;
    foreach (var parameter in parameters)
        command.Parameters.Add(parameter, SqliteType.Integer);
    return command;
}

void Run(SqliteCommand command, params long[] values)
{
    for (var i = 0; i < values.Length; i++)
        command.Parameters[i].Value = values[i];
    command.ExecuteNonQuery();
}

string Mean(long now, int window)
{
    (mean.Parameters[0].Value, mean.Parameters[1].Value) = (now, window);
    return mean.ExecuteScalar() is double value ? value.ToString("R", CultureInfo.InvariantCulture) : "null";
}
