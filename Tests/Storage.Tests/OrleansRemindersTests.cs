using Npgsql;

namespace Hosting.Storage.Tests;

/// <summary>The statements for reminders, run as Orleans' provider runs them.</summary>
public sealed class OrleansRemindersTests(Postgres postgres) : IAsyncLifetime
{
    private NpgsqlDataSource source = null!;

    public async ValueTask InitializeAsync() => source = NpgsqlDataSource.Create(await postgres.CreateDatabase());

    public ValueTask DisposeAsync() => source.DisposeAsync();

    [Fact]
    public async Task A_reminder_is_kept_and_raised_in_version()
    {
        Assert.Equal([0], await Upsert("g1", "tick", hash: 5, period: 1000));
        Assert.Equal([1], await Upsert("g1", "tick", hash: 5, period: 2000));

        Assert.Equal([2000L], await Run("ReadReminderRowKey", "Period", ("GrainId", "g1"), ("ReminderName", "tick")));
        Assert.Equal(["tick"], await Run("ReadReminderRowsKey", "ReminderName", ("GrainId", "g1")));
    }

    [Fact]
    public async Task Ranges_exclude_their_begin_include_their_end_and_wrap_around()
    {
        for (var hash = 1; hash <= 5; hash++)
            await Upsert($"g{hash}", "tick", hash, 1000);

        Assert.Equal(["g3", "g4"], (await Run("ReadRangeRows1Key", "GrainId", ("BeginHash", 2), ("EndHash", 4))).Order());
        Assert.Equal(["g1", "g2", "g5"], (await Run("ReadRangeRows2Key", "GrainId", ("BeginHash", 4), ("EndHash", 2))).Order());
    }

    [Fact]
    public async Task A_stale_delete_is_refused()
    {
        await Upsert("g1", "tick", 1, 1000);
        await Upsert("g1", "tick", 1, 1000);

        Assert.Equal([0], await Run("DeleteReminderRowKey", "count", ("GrainId", "g1"), ("ReminderName", "tick"), ("Version", 0)));
        Assert.Equal([1], await Run("DeleteReminderRowKey", "count", ("GrainId", "g1"), ("ReminderName", "tick"), ("Version", 1)));
        Assert.Empty(await Run("ReadReminderRowsKey", "ReminderName", ("GrainId", "g1")));
    }

    [Fact]
    public async Task All_of_a_service_are_deleted()
    {
        await Upsert("g1", "tick", 1, 1000);

        await Run("DeleteReminderRowsKey", "");

        Assert.Empty(await Run("ReadReminderRowsKey", "ReminderName", ("GrainId", "g1")));
    }

    private Task<List<object>> Upsert(string grain, string name, int hash, int period) => Run("UpsertReminderRowKey", "Version",
        ("GrainId", grain), ("ReminderName", name), ("StartTime", DateTime.UnixEpoch), ("Period", period), ("GrainHash", hash));

    private async Task<List<object>> Run(string key, string column, params (string Name, object Value)[] parameters)
    {
        await using var find = source.CreateCommand($"SELECT QueryText FROM OrleansQuery WHERE QueryKey = '{key}'");
        await using var command = source.CreateCommand((string)(await find.ExecuteScalarAsync())!);
        command.Parameters.AddWithValue("ServiceId", "hosting");
        foreach (var (name, value) in parameters)
            command.Parameters.AddWithValue(name, value);
        await using var reader = await command.ExecuteReaderAsync();
        var values = new List<object>();
        while (await reader.ReadAsync())
            values.Add(reader[column]);
        return values;
    }
}
