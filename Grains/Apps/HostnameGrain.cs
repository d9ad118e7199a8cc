using Hosting.Apps;

namespace Hosting.Grains.Apps;

/// <summary>Who owns a host name.</summary>
[GenerateSerializer, Alias("hosting.HostnameDocument")]
internal sealed record HostnameDocument
{
    [Id(0)] public string? Owner { get; init; }
}

[GrainType("hostname")]
internal sealed class HostnameGrain([PersistentState("state")] IPersistentState<HostnameDocument> document) : Grain, IHostnameGrain
{
    private readonly Durable<HostnameDocument> _name = new(document);

    public Task<string?> GetOwner() => Task.FromResult(_name.Value.Owner);

    public async Task<string> Claim(string app)
    {
        if (_name.Value.Owner is { } owner && (owner == app || await IsHeld(owner)))
            return owner;
        await _name.Write(this, new HostnameDocument { Owner = app });
        return app;
    }

    public async Task Release(string app)
    {
        if (_name.Value.Owner == app)
            await _name.Clear(this);
    }

    // An owner that crashed between claiming and writing its spec does not hold the name.
    private Task<bool> IsHeld(string owner) => GrainFactory.GetGrain<IAppServiceGrain>(owner).Owns(this.GetPrimaryKeyString());
}
